/** The page's one style: light and dark as the reader's system has it, one column on a phone. */
export const style = `
:root { color-scheme: light dark; --ink: #1a1c20; --quiet: #565c66; --paper: #fff; --card: #f4f5f7; --line: #d4d8de;
  --good: #0b6b3a; --warn: #8a4b00; --bad: #a8071a; --bar: #2b5fb3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaee; --quiet: #a9b0bb; --paper: #14161a; --card: #1e2127;
  --line: #363b44; --good: #5fd391; --warn: #f2b04a; --bad: #ff8a8f; --bar: #7fabf5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
.quiet { color: var(--quiet); } .good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.good, .warn, .bad { font-weight: 600; }
.hints { list-style: none; margin: .5rem 0 0; padding: 0; }
.hints li { border-left: .3rem solid var(--bad); background: var(--card); margin: .4rem 0; padding: .5rem .75rem; }
.grid { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); margin: 0; }
.grid > div, figure { background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; margin: 0; }
dt { color: var(--quiet); } dd { margin: 0; font-size: 1.15rem; }
.charts { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
svg { display: block; width: 100%; height: 7rem; margin-top: .5rem; } .bar { fill: var(--bar); }
.axis { stroke: var(--line); stroke-width: 2; } .hours { display: flex; justify-content: space-between; margin: 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--quiet); font-weight: 600; }
label { display: inline-flex; gap: .4rem; align-items: center; }
footer { margin-top: 1.5rem; border-top: 1px solid var(--line); padding-top: .5rem; }
`;

/** Loads the page anew every minute while it is seen and its box is ticked. */
export const script = `
const box = document.querySelector('#refresh');
setInterval(() => { if (box.checked && !document.hidden) location.reload(); }, 60000);
`;
