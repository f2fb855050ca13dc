/** Bundles of test/clients/fixtures/mapped, made by a real bundler, as programs and for whoever asks V8 about them. */
import { Session } from 'node:inspector';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

export const MAPPED_FOLDER = resolve(__dirname, 'clients/fixtures/mapped');

export type BundleForm = { minify?: boolean; map?: true | 'inline' | 'hidden'; format?: 'cjs' | 'esm' };

/** Writes `file`, and beside it its map. */
export async function writeBundle(
  file: string,
  { minify = false, map = true, format = 'cjs' }: BundleForm,
): Promise<void> {
  const bundle = await rolldown({
    input: join(MAPPED_FOLDER, 'main.ts'),
    platform: 'node',
    logLevel: 'silent',
  });
  await bundle.write({ file, format, minify, sourcemap: map });
  await bundle.close();
}

export type V8Function = { name: string; startLine: number; startColumn: number };

/** Name and place of the functions that the bundle exports, as V8's profiler tells them, by the name of the source. */
export function functionsOf(file: string): Record<string, V8Function> {
  const { functions } = require(file) as { functions: Record<string, { name: string }> };
  const session = new Session();
  session.connect();
  try {
    return Object.fromEntries(
      Object.entries(functions).map(([name, value]) => [
        name,
        { name: value.name, ...placeOf(session, value) },
      ]),
    );
  } finally {
    session.disconnect();
  }
}

const HANDLE = Symbol.for('ringtail.test.function');

function placeOf(session: Session, value: unknown): { startLine: number; startColumn: number } {
  Object.defineProperty(globalThis, HANDLE, { value, configurable: true });
  const expression = "globalThis[Symbol.for('ringtail.test.function')]";
  let place = { startLine: 0, startColumn: 0 };
  session.post('Runtime.evaluate', { expression }, (_error, { result }) => {
    session.post(
      'Runtime.getProperties',
      { objectId: result.objectId! },
      (_failed, { internalProperties = [] }) => {
        const found = internalProperties.find(({ name }) => name === '[[FunctionLocation]]');
        const { lineNumber, columnNumber } = found!.value!.value;
        place = { startLine: lineNumber + 1, startColumn: columnNumber + 1 };
      },
    );
  });
  return place;
}
