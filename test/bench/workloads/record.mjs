/**
 * Records the workloads of the byte rows once, by hand: `node test/bench/workloads/record.mjs` writes <name>.json.gz
 * here. Each is a list of V8 CPU profiles at 99 Hz, one a window, of a program that runs as in the CPU rows. Paths of
 * this machine are replaced; nothing else is.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildBundle } from '../harness/bundle.mjs';
import { PROGRAMS, ROOT, WORKLOADS } from '../harness/folders.mjs';
import { Program } from '../harness/program.mjs';
import { underLoad } from '../harness/service.mjs';

const SERVICE_SECONDS = 60;
const WORKS = { compile: ['compile.cjs', '64'], churn: ['json-churn.cjs', '12000'] };
const execArgv = ['-r', join(PROGRAMS, 'record-profiles.cjs')];

await buildBundle();
const service = { file: join(PROGRAMS, 'service.cjs'), execArgv };
const { figures } = await underLoad(service, SERVICE_SECONDS, async (program, over) => {
  await over;
  program.send('finish');
  await program.tell('result');
  return program.tell('profiles');
});
save('service', figures);
for (const [name, [file, amount]] of Object.entries(WORKS)) {
  const program = new Program({ file: join(PROGRAMS, file), args: [amount], execArgv });
  save(name, await program.tell('profiles'));
  await program.stop();
}

function save(name, profiles) {
  const text = JSON.stringify(profiles)
    .replaceAll(pathToFileURL(ROOT).href, 'file:///app')
    .replaceAll(ROOT, '/app');
  const packed = gzipSync(text, { level: 9 });
  writeFileSync(join(WORKLOADS, `${name}.json.gz`), packed);
  const ticks = profiles.flatMap(({ nodes }) => nodes).reduce((sum, { hitCount = 0 }) => sum + hitCount, 0);
  console.log(`${name}: ${profiles.length} windows, ${ticks} ticks, ${packed.length} bytes`);
}
