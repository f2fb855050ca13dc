/** Whose code a function is, told by its file alone: a package of node_modules, Node itself, the program's own. */

export const OWN_CODE = '(own code)';
export const NODE_CORE = '(node)';
export const NATIVE_CODE = '(native)';

/** The innermost package where one is inside another: `express`, `@scope/name`. States like `(idle)` stay themselves. */
export function packageOf(name: string, file: string): string {
  if (file === '') return /^\(.+\)$/.test(name) ? name : NATIVE_CODE;
  if (file.startsWith('node:') || file.startsWith('internal/')) return NODE_CORE;
  const path = file.replaceAll('\\', '/');
  const at = path.lastIndexOf('node_modules/');
  if (at < 0) return OWN_CODE;
  const [scope = '', rest = ''] = path.slice(at + 'node_modules/'.length).split('/');
  return scope.startsWith('@') ? `${scope}/${rest}` : scope;
}
