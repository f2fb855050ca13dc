import { describe, expect, it } from 'vitest';
import { serviceName } from '../../agent/service-name';

const files = (content: Record<string, string>) => (path: string) => {
  const text = content[path];
  if (text === undefined) throw new Error(`ENOENT ${path}`);
  return text;
};

describe('serviceName', () => {
  it('prefers what OpenTelemetry was told', () => {
    expect(serviceName('shop', '/app/main.js', files({}))).toBe('shop');
    expect(serviceName('', '/app/main.js', files({}))).toBe('main');
  });

  it('is the name in the nearest package.json that has one', () => {
    const tree = files({
      '/app/package.json': '{"name":"@acme/web"}',
      '/app/dist/package.json': '{"type":"commonjs"}',
    });
    expect(serviceName(undefined, '/app/dist/server/main.js', tree)).toBe('@acme/web');
  });

  it.each([['{'], ['null'], ['[]'], ['{"name":7}'], ['{"name":"a\\nb"}'], ['"text"']])(
    'passes over %s',
    (text) => {
      expect(serviceName(undefined, '/app/worker.mjs', files({ '/app/package.json': text }))).toBe('worker');
    },
  );

  it('is node where there is no script', () => {
    expect(serviceName(undefined, undefined, files({}))).toBe('node');
  });
});
