/**
 * `npm run bench [-- --quick] [--json] [--only name,...] [--list]`: measures each row in a process of its own, side by
 * side with its peers, and prints one table. README.md says what the rows mean. Exit code 1 only when a row found wrong
 * results; a goal that is missed is printed as such.
 */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { commandWords, refuseWords } from '../command-words.mjs';
import { buildBundle } from './harness/bundle.mjs';
import { BENCH } from './harness/folders.mjs';
import { describeMachine, machineLine } from './harness/machine.mjs';
import { nodeLines } from './harness/nodes.mjs';
import { installPeers } from './harness/peers.mjs';
import { renderTable } from './harness/table.mjs';
import { ROWS } from './rows/index.mjs';

const options = commandWords('bench', {
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  only: { type: 'string', default: '' },
});

const unknown = options.only
  .split(',')
  .filter((name) => name !== '' && !ROWS.some((row) => row.name === name));
if (options.list) {
  for (const { name } of ROWS) console.log(name);
} else if (unknown.length > 0) {
  refuseWords('bench', `no row is called ${unknown.join(', ')}: --list names them`);
} else {
  await main(chosenRows(options.only));
}

async function main(chosen) {
  installPeers();
  await buildBundle();
  const machine = describeMachine();
  const results = [];
  const failures = [];
  const lines = chosen.some(({ everyLine }) => everyLine) && !options.quick ? nodeLines() : [];
  for (const row of chosen) {
    for (const { line, binary } of row.everyLine && lines.length > 0
      ? lines
      : [{ line: '', binary: process.execPath }]) {
      const label = line === '' ? row.name : `${row.name} on Node ${line}`;
      process.stderr.write(`bench: ${label} ...`);
      const start = performance.now();
      const { rows, failure = '', wrong = false } = await runRow(row, binary);
      process.stderr.write(` ${((performance.now() - start) / 1000).toFixed(0)} s\n`);
      results.push(...rows);
      if (failure !== '') failures.push({ row: label, wrong, failure });
    }
  }
  if (options.json) {
    console.log(JSON.stringify({ machine, quick: options.quick, rows: results, failures }, null, 2));
  } else {
    console.log(
      `${machineLine(machine)}${options.quick ? ', --quick: rounds are few, figures are rough' : ''}\n`,
    );
    console.log(renderTable(results));
    const goals = results.filter(({ met }) => met !== null);
    console.log(`${goals.filter(({ met }) => met).length} of ${goals.length} goals met`);
  }
  for (const { row, failure, wrong } of failures) {
    console.error(`${row}: ${wrong ? 'WRONG RESULT' : 'not measured'}: ${failure}`);
  }
  process.exitCode = failures.some(({ wrong }) => wrong) ? 1 : 0;
}

/** Resolves with what the row's process sent, or with why it sent nothing. */
function runRow({ file }, binary) {
  return new Promise((resolve) => {
    const child = fork(join(BENCH, 'harness/row-process.mjs'), [join(BENCH, 'rows', file)], {
      execPath: binary,
      execArgv: [],
      stdio: ['ignore', 2, 2, 'ipc'],
      env: { ...process.env, BENCH_QUICK: options.quick ? '1' : '0' },
    });
    let answer = null;
    child.on('message', (message) => {
      answer = message;
    });
    child.on('close', (code, signal) => {
      resolve(answer ?? { rows: [], failure: `its process ended with ${signal ?? `exit code ${code}`}` });
    });
  });
}

function chosenRows(only) {
  const names = only.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => !ROWS.some((row) => row.name === name));
  if (unknown.length > 0)
    throw new Error(`no row is called ${unknown.join(', ')}: see npm run bench -- --list`);
  return names.length === 0 ? ROWS : ROWS.filter(({ name }) => names.includes(name));
}
