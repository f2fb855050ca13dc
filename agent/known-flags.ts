/**
 * Flags of the runtime that change how a program behaves or what a profile of it means. Only these are told, by name, and
 * with their value where that is a number: anything else on a command line may be a path, code or a secret.
 */

const KNOWN = new Set(
  `-e -i -p -r --abort-on-uncaught-exception --conditions --cpu-prof --disable-proto --disallow-code-generation-from-strings
  --dns-result-order --enable-source-maps --env-file --eval --experimental-default-type --experimental-loader
  --experimental-permission --experimental-strip-types --experimental-vm-modules --expose-gc --force-context-aware
  --frozen-intrinsics --heap-prof --heapsnapshot-near-heap-limit --icu-data-dir --import --inspect --inspect-brk
  --insecure-http-parser --interpreted-frames-native-stack --jitless --loader --max-heap-size --max-http-header-size
  --max-inlined-bytecode-size --max-old-space-size --max-old-space-size-percentage --max-semi-space-size
  --min-semi-space-size --network-family-autoselection --no-addons --no-deprecation --no-opt --no-warnings --openssl-config
  --optimize-for-size --perf-basic-prof --perf-prof --permission --pending-deprecation --prof --require
  --secure-heap --semi-space-growth-factor --single-threaded --single-threaded-gc --stack-size --stack-trace-limit --test
  --throw-deprecation --tls-min-v1.0 --trace-deprecation --trace-gc --trace-warnings --track-heap-objects
  --unhandled-rejections --use-largepages --v8-pool-size --watch --zero-fill-buffers`.split(/\s+/),
);
const NUMBER = /^\d{1,12}(\.\d{1,6})?$/;

/** `--max-old-space-size=4096`, `--import`, each once, sorted. nodeOptions: the text of NODE_OPTIONS. */
export function knownFlags(execArgv: readonly string[], nodeOptions = ''): string[] {
  const told = new Set<string>();
  for (const word of [...execArgv, ...wordsOf(nodeOptions)]) {
    const [given = '', value = ''] = word.split('=', 2);
    const name = given.startsWith('--') ? given.replaceAll('_', '-') : given;
    if (KNOWN.has(name)) told.add(NUMBER.test(value) ? `${name}=${value}` : name);
  }
  return [...told].sort();
}

/** As Node splits NODE_OPTIONS: at blanks outside of double quotes, within which a backslash stands before what is meant. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (quoted && char === '\\' && at + 1 < text.length) word += text[++at];
    else if (char === '"') quoted = !quoted;
    else if (char === ' ' && !quoted) {
      if (word !== '') words.push(word);
      word = '';
    } else word += char;
  }
  if (word !== '') words.push(word);
  return words;
}
