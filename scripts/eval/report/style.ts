/** The page's style: system fonts, light and dark by the reader's setting, nothing fetched. */
export const STYLE = `
:root{color-scheme:light dark;--bg:#fbfbfa;--panel:#fff;--ink:#1d2126;--soft:#5c6670;--rule:#e2e5e8;--track:#edf0f2;--s1:#1f6feb;--s2:#c2570c;--s3:#7a8794;--good:#15703d;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--panel:#1b1f23;--ink:#e7eaed;--soft:#9aa5b0;--rule:#30363c;--track:#2a3036;--s1:#6aa5ff;--s2:#f0954e;--s3:#8f9ba7;--good:#5fcf8f;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
header,main{max-width:1160px;margin:0 auto;padding:0 20px}
header{padding-top:28px}h1{font-size:26px;margin:0}header p{color:var(--soft);margin:4px 0 0}
h2{font-size:19px;margin:34px 0 12px}h3{font-size:16px;margin:22px 0 8px}
.scroll{overflow-x:auto;background:var(--panel);border:1px solid var(--rule);border-radius:8px}
table{border-collapse:collapse;width:100%}
th,td{padding:6px 12px;text-align:left;border-bottom:1px solid var(--rule);font-variant-numeric:tabular-nums}
tbody tr:last-child>*{border-bottom:0}thead th{color:var(--soft);font-weight:500;font-size:13px}
tbody th{font-weight:400}.num{text-align:right;white-space:nowrap}small{color:var(--soft)}
.reached{color:var(--good);font-weight:600}.missed{color:var(--bad);font-weight:600}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(460px,100%),1fr));gap:16px;margin-bottom:16px;align-items:start}
figure{margin:0;background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:14px}
figcaption{font-weight:600;margin-bottom:6px}svg{width:100%;height:auto;display:block}
.legend{display:flex;gap:16px;flex-wrap:wrap;font-size:13px;color:var(--soft)}
.key{display:inline-block;width:14px;height:3px;border-radius:2px;margin-right:6px;vertical-align:middle}
.key.s1{background:var(--s1)}.key.s2{background:var(--s2)}.key.s3{background:var(--s3)}
.grid{stroke:var(--rule)}.mark{stroke:var(--soft);stroke-dasharray:2 3}
.tick{fill:var(--soft);font-size:11px}.label{fill:var(--ink);font-size:12px}
.line{fill:none;stroke-width:2}.line.s1{stroke:var(--s1)}.line.s2{stroke:var(--s2)}.line.s3{stroke:var(--s3)}
.dot.s1{fill:var(--s1)}.dot.s2{fill:var(--s2)}.dot.s3{fill:var(--s3)}
.track{fill:var(--track)}.bar.s1{fill:var(--s1)}
details{margin:10px 0}summary{cursor:pointer}
.call{background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:8px 14px}
.call audio{width:100%;margin-top:8px}.transcript{list-style:none;padding:0;margin:10px 0}
.transcript li{padding:2px 0}.transcript span{color:var(--soft);display:inline-block;width:62px;font-variant-numeric:tabular-nums}
.transcript .caller{color:var(--s1)}
`;
