import { describe, expect, it } from 'vitest';
import { functionName } from '../../collector/profile/frame';

describe('the name of a function', () => {
  const nameOf = (name: string, url: string) => functionName({ name, url, line: 9, column: 0 });

  it("is V8's, else made of its place: a file's last part, or a module of Node.js in full", () => {
    expect(nameOf('read', 'node:internal/streams/readable')).toBe('read');
    expect(nameOf('', 'file:///srv/app/index.js')).toBe('(anonymous) index.js:9');
    expect(nameOf('', 'node:internal/streams/readable')).toBe('(anonymous) node:internal/streams/readable:9');
    expect(nameOf('', 'node:fs')).toBe('(anonymous) node:fs:9');
    expect(nameOf('', '')).toBe('(anonymous)');
  });
});
