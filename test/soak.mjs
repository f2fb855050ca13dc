/**
 * `npm run soak [-- --minutes 30] [--only everything,truth] [--nodes 20,22,24,26] [--side-by-side 2] [--terminations 1000]`:
 * the long forms of the tests that have one (soak/parts.mjs), again and again until the time is over, each once at
 * least. `everything` is one run of --minutes on each line, of which --side-by-side run beside each other. Ends by itself
 * with a table: how often each part ran, how long it took, how busy the machine was, and what the part told of itself.
 * Exits with 1 when a part failed.
 */
import { commandWords, refuseWords } from './command-words.mjs';
import { LINES } from './nodes.mjs';
import { runPart } from './soak/part-run.mjs';
import { PARTS, runsOf } from './soak/parts.mjs';
import { figuresTable, partsTable } from './soak/table.mjs';

const settings = readSettings();
const runs = runsOf(settings.parts, settings.nodes);
const end = Date.now() + settings.minutes * 60_000;
const results = [];
for (let round = 1; round === 1 || Date.now() < end; round++) {
  const left = [...runs];
  while (left.length > 0 && (round === 1 || Date.now() < end)) {
    const first = left.shift();
    const beside = (next) => first.part.sideBySide === true && next.part === first.part;
    const together = [first, ...left.filter(beside).slice(0, settings.sideBySide - 1)];
    for (const run of together.slice(1)) left.splice(left.indexOf(run), 1);
    const lines = together.map(({ line }) => line).join(', ');
    console.log(`\n=== round ${round}, Node ${lines}: ${first.part.name}: ${first.part.what}`);
    results.push(...(await Promise.all(together.map((run) => runPart(run, settings)))));
  }
}
console.log(`\n${figuresTable(results)}\n\n${partsTable(results)}`);
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;

/** { minutes, parts, nodes, sideBySide, terminations } of the command line. */
function readSettings() {
  const values = commandWords('soak', {
    minutes: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    nodes: { type: 'string', default: '' },
    'side-by-side': { type: 'string', default: '2' },
    terminations: { type: 'string', default: '1000' },
  });
  const number = (name, least) => {
    if (!(Number(values[name]) >= least))
      refuseWords('soak', `--${name} must be a number from ${least} on, got ${values[name]}`);
    return Number(values[name]);
  };
  const among = (name, known) => {
    const words = values[name].split(',').filter((word) => word !== '');
    const unknown = words.filter((word) => !known.includes(word));
    if (unknown.length > 0)
      refuseWords('soak', `--${name} must name some of ${known.join(', ')}, got ${unknown.join(', ')}`);
    return words;
  };
  const only = among(
    'only',
    PARTS.map(({ name }) => name),
  );
  return {
    minutes: number('minutes', 0.1),
    parts: PARTS.filter(({ name }) => only.length === 0 || only.includes(name)),
    nodes: among('nodes', LINES),
    sideBySide: number('side-by-side', 1),
    terminations: number('terminations', 1),
  };
}
