/**
 * Functions as V8 has them in .cpuprofile and .heapprofile files, and back: there lines and columns count from 0, files
 * are URLs, and a function without a name has ''. A call frame tells where a function begins, not the line it stood at.
 */
import { pathToFileURL } from 'node:url';
import { fileOf, functionName } from './frame';
import { type JsonRecord, numberOf, recordOf, textOf } from './json-value';
import type { Profile } from './profile';
import { lineOf } from './profile-limits';
import { namedLocation } from './stack-nodes';

export type CallFrame = {
  functionName: string;
  scriptId: string;
  url: string;
  lineNumber: number;
  columnNumber: number;
};

/** V8's own root of every tree; it is no function. */
export const ROOT_FRAME = '(root)';

const ROOT: CallFrame = {
  functionName: ROOT_FRAME,
  scriptId: '0',
  url: '',
  lineNumber: -1,
  columnNumber: -1,
};

export type PlacedFrame = { name: string; url: string; line: number; column: number };

/** line, column: 1-based, 0 unknown. */
export function readCallFrame(format: string, value: unknown): PlacedFrame {
  const frame: JsonRecord = recordOf(format, 'a callFrame', value);
  const from0 = (key: string) =>
    frame[key] === undefined ? 0 : lineOf(numberOf(format, `${key} of a callFrame`, frame[key]) + 1);
  return {
    name: textOf(format, 'functionName', frame.functionName),
    url: textOf(format, 'url', frame.url),
    line: from0('lineNumber'),
    column: from0('columnNumber'),
  };
}

/** The location of a frame that stood at `line`; its first line where 0. */
export function frameLocation(profile: Profile, frame: PlacedFrame, line: number): number {
  const name = functionName(frame);
  return namedLocation(profile, {
    name,
    systemName: frame.name || name,
    file: fileOf(frame.url),
    startLine: frame.line,
    startColumn: frame.column,
    line: line || frame.line,
  });
}

/** A function of a profile as V8 would name it; 0 is the root. `scripts` gives each file a number. */
export function callFrameOf(profile: Profile, functionId: number, scripts: Map<string, number>): CallFrame {
  if (functionId === 0) return ROOT;
  const { name, file, startLine, startColumn } = profile.functionAt(functionId);
  const url = urlOf(file);
  const nameless = name === functionName({ name: '', url, line: startLine, column: 0 });
  let script = scripts.get(file);
  if (script === undefined) {
    script = file === '' ? 0 : scripts.size + 1;
    scripts.set(file, script);
  }
  return {
    functionName: nameless ? '' : name,
    scriptId: String(script),
    url,
    lineNumber: startLine - 1,
    columnNumber: startColumn - 1,
  };
}

/** A file's URL where it comes back as the same path. */
function urlOf(file: string): string {
  if (!file.startsWith('/')) return file;
  const { href } = pathToFileURL(file);
  return fileOf(href) === file ? href : file;
}
