// biome-ignore-all lint/complexity/useArrowFunction: an old Node has to parse this file before it can be told so
// biome-ignore-all lint/complexity/useOptionalChain: as above
// biome-ignore-all lint/suspicious/noVar: as above
// biome-ignore-all lint/style/useTemplate: as above
// biome-ignore-all lint/style/useNodejsImportProtocol: as above
// biome-ignore-all lint/correctness/noUnusedVariables: a catch clause needs its binding there
/**
 * The preload: `node -r ringtail/agent/register app.js`, or --import, or NODE_OPTIONS. Written in the JavaScript of
 * 2015 so that any Node can parse it and be told that it is too old. It starts the agent once per process: not in
 * worker threads, not in package managers and build tools (RINGTAIL_ENABLED=1 overrides), and it never throws.
 */

var MIN_MAJOR = 20;
var MIN_MINOR = 19;

/** Programs by the name of their main script; a word after the colon: only with that first argument. */
var TOOLS =
  ' npm npm-cli npx npx-cli yarn yarnpkg pnpm pnpx corepack bun node-gyp tsc tsserver eslint prettier biome webpack' +
  ' webpack-cli rollup rolldown esbuild swc tsup tsdown turbo nx lerna gulp grunt parcel vite:build next:build' +
  ' nuxt:build nuxi:build astro:build remix:build react-scripts:build ng:build vue-cli-service:build gatsby:build ';

function oldNode(): boolean {
  var parts = process.version.replace('v', '').split('.');
  var major = Number(parts[0]);
  return !(major > MIN_MAJOR || (major === MIN_MAJOR && Number(parts[1]) >= MIN_MINOR));
}

function isTool(argv: string[]): boolean {
  var script = String(argv[1] || '').replace(/^.*[\\/]/, '');
  var name = script.replace(/\.[cm]?js$/, '');
  return TOOLS.indexOf(' ' + name + ' ') >= 0 || TOOLS.indexOf(' ' + name + ':' + argv[2] + ' ') >= 0;
}

(function () {
  try {
    if (oldNode()) {
      if (process.env.RINGTAIL_ENABLED !== '0') {
        require('fs').writeSync(
          2,
          'ringtail: needs Node.js 20.19 or newer, got ' +
            process.version +
            ': the program runs without it\n',
        );
      }
      return;
    }
    if (process.env.RINGTAIL_ENABLED !== '1' && isTool(process.argv)) return;
    if (!require('worker_threads').isMainThread) return;
    require('./index.js').startFromPreload();
  } catch (error) {
    // Whatever it is: the program comes first.
  }
})();
