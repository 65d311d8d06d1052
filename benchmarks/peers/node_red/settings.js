// Node-RED with nothing but the flow: no editor, no pages, credentials as they stand in flows_cred.json.
module.exports = {
    uiHost: "127.0.0.1",
    uiPort: Number(process.env.BENCH_UI_PORT),
    httpAdminRoot: false,
    httpNodeRoot: false,
    flowFile: "flows.json",
    credentialSecret: false,
    logging: { console: { level: "info", metrics: false, audit: false } },
};
