// What the alarm grid needs as global names: its theme, and the two cells that show a shape beside the colour.
(function () {
  "use strict";
  var functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  var cells = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

  var made = null;

  // Asked for at every rendering: the same theme each time, or the grid would draw its style anew.
  functions.citydeckGridTheme = function (themeQuartz) {
    made = made || themeQuartz.withParams({
      backgroundColor: "var(--panel)",
      foregroundColor: "var(--ink)",
      headerTextColor: "var(--quiet)",
      headerBackgroundColor: "var(--raised)",
      oddRowBackgroundColor: "var(--panel)",
      borderColor: "var(--line)",
      rowHoverColor: "var(--raised)",
      selectedRowBackgroundColor: "#24384a",
      accentColor: "var(--ink)",
      browserColorScheme: "dark",
      fontFamily: "inherit",
      fontSize: "1rem",
      headerFontSize: "0.9375rem",
      rowHeight: "2.75rem",
      headerHeight: "2.5rem",
      cellHorizontalPadding: "0.5rem",
      wrapperBorderRadius: "0.375rem",
    });
    return made;
  };

  function icon(name) {
    return React.createElement(
      "svg",
      { className: "mark", viewBox: "-10 -10 20 20", "aria-hidden": true, key: "icon" },
      React.createElement("path", { d: name, fillRule: "evenodd" })
    );
  }

  cells.PriorityCell = function (props) {
    var row = props.data;
    return React.createElement(
      "span",
      { className: "priority " + row.priority + " is-" + row.state },
      React.createElement("span", { className: "flash", style: { display: "inline-flex" } }, icon(row.priority_path)),
      row.priority_text
    );
  };

  cells.StateCell = function (props) {
    var row = props.data;
    return React.createElement(
      "span",
      { className: "state is-" + row.state },
      row.state_path ? icon(row.state_path) : null,
      row.state_text
    );
  };
})();
