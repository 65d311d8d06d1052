// Loaded by Dash before its renderer: the language and the root font size, which callbacks on the server need.
(function () {
  "use strict";
  var COOKIE = "citydeck_lang";
  var YEAR_S = 31536000;

  function language() {
    var asked = new URLSearchParams(window.location.search).get("lang");
    if (asked === "zh" || asked === "en") {
      document.cookie = COOKIE + "=" + asked + "; path=/; max-age=" + YEAR_S + "; SameSite=Lax";
      return asked;
    }
    var kept = document.cookie.match(/(?:^|; )citydeck_lang=(zh|en)/);
    return kept ? kept[1] : "zh";
  }

  // Set before anything is drawn, so that screen readers and line breaking know it from the start.
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.citydeck = {
    settings: function () {
      return [language(), parseFloat(getComputedStyle(document.documentElement).fontSize)];
    },
  };
})();
