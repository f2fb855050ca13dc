/** NODE_OPTIONS with the preload added: quoted as Node reads it, what was there before kept. */

/** The path must be absolute. Node splits at spaces, takes "..." as one word and a backslash inside it as an escape. */
export function withPreload(nodeOptions: string | undefined, preloadPath: string): string {
  const quoted = /[\s"\\]/.test(preloadPath) ? `"${preloadPath.replace(/["\\]/g, '\\$&')}"` : preloadPath;
  const before = nodeOptions?.trim() ?? '';
  return before === '' ? `--require ${quoted}` : `${before} --require ${quoted}`;
}
