/**
 * A generated TypeScript project, the same for the same number of files: entities with generics, mapped and conditional
 * types, unions that are narrowed, classes, overloads, and imports between the files. It compiles without an error.
 */
const SHAPES = 6;

/** Map of file name to text. */
exports.generateProject = function generateProject(fileCount) {
  const files = new Map([['/project/base.ts', BASE]]);
  for (let file = 0; file < fileCount; file++) files.set(`/project/module${file}.ts`, moduleText(file));
  return files;
};

const BASE = `
export type Keys<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? never : K }[keyof T];
export type Data<T> = { readonly [K in Keys<T>]: T[K] };
export type Patch<T> = { [K in keyof T]?: T[K] extends object ? Patch<T[K]> : T[K] };
export type Path<T, D extends number = 4> = [D] extends [never] ? never : T extends object
  ? { [K in keyof T & string]: K | \`\${K}.\${Path<T[K], Before[D]>}\` }[keyof T & string] : never;
export type Before = [never, 0, 1, 2, 3, 4];
export type Event<N extends string, P> = { kind: N; payload: P; at: number };
export interface Repository<T extends { id: number }> {
  find(id: number): T | undefined;
  all(): T[];
  where<K extends Keys<T>>(key: K, value: T[K]): T[];
}
export class MemoryRepository<T extends { id: number }> implements Repository<T> {
  protected rows = new Map<number, T>();
  find(id: number): T | undefined { return this.rows.get(id); }
  all(): T[] { return [...this.rows.values()]; }
  where<K extends Keys<T>>(key: K, value: T[K]): T[] { return this.all().filter((row) => row[key] === value); }
  insert(row: T): this { this.rows.set(row.id, row); return this; }
}
export function pipe<A, B>(a: A, ab: (a: A) => B): B;
export function pipe<A, B, C>(a: A, ab: (a: A) => B, bc: (b: B) => C): C;
export function pipe<A, B, C, D>(a: A, ab: (a: A) => B, bc: (b: B) => C, cd: (c: C) => D): D;
export function pipe(a: unknown, ...steps: ((value: never) => unknown)[]): unknown {
  return steps.reduce((value, step) => step(value as never), a);
}
`;

function moduleText(file) {
  const lines = [
    "import { type Data, type Event, MemoryRepository, type Patch, type Path, pipe } from './base';",
  ];
  if (file > 0)
    lines.push(`import { type Entity${file - 1}x0, load${file - 1} } from './module${file - 1}';`);
  for (let shape = 0; shape < SHAPES; shape++) lines.push(shapeText(file, shape));
  lines.push(unionText(file), loadText(file));
  return lines.join('\n');
}

function shapeText(file, shape) {
  const name = `Entity${file}x${shape}`;
  const other =
    shape > 0 ? `Entity${file}x${shape - 1}` : file > 0 ? `Entity${file - 1}x0` : '{ id: number }';
  return `
export interface ${name} {
  id: number;
  name${shape}: string;
  tags: readonly string[];
  state: 'new' | 'open' | 'closed${shape}';
  nested: { depth: number; label: string; more: { left: number; right: string; last: boolean[] } };
  link?: ${other};
  touch(at: number): void;
}
export type ${name}Path = Path<Omit<${name}, 'link' | 'touch' | 'tags'>>;
export class ${name}Store extends MemoryRepository<${name}> {
  patch(id: number, change: Patch<Data<${name}>>): ${name} | undefined {
    const found = this.find(id);
    if (!found) return undefined;
    const next = { ...found, ...change, nested: { ...found.nested, ...change.nested } } as ${name};
    this.insert(next);
    return next;
  }
  summary(): Record<${name}['state'], number> {
    const sums: Record<${name}['state'], number> = { new: 0, open: 0, closed${shape}: 0 };
    for (const { state, nested: { more } } of this.all()) sums[state] += more.last.length + more.left;
    return sums;
  }
  labels(path: ${name}Path): string[] {
    return pipe(this.all(), (rows) => rows.filter((row) => row.tags.length > path.length), (rows) =>
      rows.map(({ name${shape}, nested }) => [name${shape}, nested.label, nested.more.right].join('/')));
  }
}`;
}

function unionText(file) {
  const kinds = Array.from({ length: SHAPES }, (_, shape) => `Event<'made${shape}', Entity${file}x${shape}>`);
  const cases = Array.from(
    { length: SHAPES },
    (_, shape) => `    case 'made${shape}': return event.payload.name${shape} + event.payload.state;`,
  );
  return `
export type Events${file} = ${kinds.join(' | ')};
export function describe${file}(event: Events${file}): string {
  switch (event.kind) {
${cases.join('\n')}
  }
}`;
}

function loadText(file) {
  const before = file > 0 ? `load${file - 1}().length` : '0';
  return `
export function load${file}(): string[] {
  const store = new Entity${file}x0Store();
  store.insert({
    id: ${file}, name0: 'n', tags: ['a', 'b'], state: 'new', touch() {},
    nested: { depth: ${before}, label: 'l', more: { left: 1, right: 'r', last: [true] } },
  });
  const patched = store.patch(${file}, { nested: { more: { left: 2 } } });
  return patched ? [describe${file}({ kind: 'made0', payload: patched, at: 0 })] : store.labels('nested.more.left');
}`;
}
