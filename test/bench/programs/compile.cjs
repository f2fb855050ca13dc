/**
 * A TypeScript compile as a program: type-checks and emits a generated project of argv[2] files once, then tells its
 * figures. With argv[3] 'beat' the compiler's hottest functions carry a heartbeat, so that the main thread times its
 * own gaps; 'beat:<peer>' lets the heartbeat also rotate that peer once a second.
 */
const assert = require('node:assert');
const { readFileSync } = require('node:fs');
const { dirname } = require('node:path');
const { generateProject } = require('../workloads/typescript-project.cjs');
const { startHeartbeat } = require('./heartbeat.cjs');
const { runWork } = require('./fixed-work.cjs');

const files = generateProject(Number(process.argv[2]));
const [beating, peer = ''] = (process.argv[3] ?? '').split(':');
const heartbeat = beating === 'beat' ? startHeartbeat(peer) : null;
const ts = heartbeat === null ? require('typescript') : loadBeating();

runWork(() => {
  const emitted = compile();
  assert.equal(emitted, files.size, `emitted ${emitted} of ${files.size} files`);
  return heartbeat?.finish();
});

function compile() {
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, strict: true, types: [] };
  const base = ts.createCompilerHost(options);
  let written = 0;
  const host = {
    ...base,
    getCurrentDirectory: () => '/project',
    fileExists: (name) => files.has(name) || base.fileExists(name),
    directoryExists: () => true,
    readFile: (name) => files.get(name) ?? base.readFile(name),
    getSourceFile(name, languageVersion) {
      const text = files.get(name) ?? base.readFile(name);
      return text === undefined ? undefined : ts.createSourceFile(name, text, languageVersion);
    },
    writeFile: () => {
      written++;
    },
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const problems = ts.getPreEmitDiagnostics(program);
  assert.equal(
    problems.length,
    0,
    problems.length > 0 ? ts.formatDiagnostics(problems.slice(0, 3), base) : '',
  );
  program.emit();
  return written;
}

/** TypeScript with a heartbeat at the start of functions that scanning, binding, checking and emitting all pass. */
function loadBeating() {
  const path = require.resolve('typescript');
  let beats = 0;
  const text = readFileSync(path, 'utf8').replace(
    /^( +)function (scan|bind|createNodeArray|forEachChild|checkExpression|checkSourceElement|isTypeRelatedTo|getTypeOfSymbol|pipelineEmit|visitNode|instantiateType|getConditionalType|isRelatedTo|recursiveTypeRelatedTo|getPropertiesOfType|resolveName)\(([^\n]*)\{$/gm,
    (line) => {
      beats++;
      return `${line}globalThis.benchBeat();`;
    },
  );
  assert.ok(beats >= 8, `found only ${beats} places for the heartbeat in ${path}`);
  const loaded = new (require('node:module'))(path, module);
  loaded.filename = path;
  loaded.paths = require('node:module')._nodeModulePaths(dirname(path));
  loaded._compile(text, path);
  return loaded.exports;
}
