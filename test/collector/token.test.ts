import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createToken, readToken, tokenPlaces } from '../../agent/wire/token';
import { startCollector } from '../../collector/collector';

const TOKEN = 'a-token-of-the-tests-0123456789';
const uid = process.getuid?.() ?? -1;

let folder: string;
let platform: { homeFolder: string; temporaryFolder: string; uid: number };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringtail-token-'));
  platform = { homeFolder: join(folder, 'home'), temporaryFolder: join(folder, 'tmp'), uid };
  for (const name of ['home', 'tmp', 'run']) mkdirSync(join(folder, name));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, text = TOKEN, folderMode = 0o700, mode = 0o600): string {
  mkdirSync(dirname(path), { recursive: true });
  chmodSync(dirname(path), folderMode);
  writeFileSync(path, `${text}\n`, { mode });
  chmodSync(path, mode);
  return path;
}

describe('token places', () => {
  it('are looked at in their order', () => {
    const environment = { XDG_RUNTIME_DIR: join(folder, 'run'), RINGTAIL_TOKEN_FILE: join(folder, 'named') };
    const places = tokenPlaces(environment, platform).map(({ path }) => path);
    expect(places).toEqual([
      join(folder, 'named'),
      join(folder, 'run', 'ringtail', 'token'),
      join(folder, 'home', '.local', 'state', 'ringtail', 'token'),
      join(folder, 'tmp', `ringtail-${uid}`, 'token'),
    ]);
    for (const place of [...places].reverse()) {
      put(place, `token-of-${place}`);
      expect(readToken(environment, platform)).toEqual({ token: `token-of-${place}`, place });
    }
    expect(readToken({ ...environment, RINGTAIL_TOKEN: TOKEN }, platform)).toEqual({
      token: TOKEN,
      place: 'RINGTAIL_TOKEN',
    });
  });

  it('lie in the temporary folder that the environment names, not in that of the thread', () => {
    const [unused, named] = [join(folder, 'run'), join(folder, 'tmp')];
    put(join(named, `ringtail-${uid}`, 'token'));
    for (const environment of [
      { TMPDIR: named, TMP: unused },
      { TMP: named, TEMP: unused },
      { TEMP: named },
    ]) {
      expect(readToken({ HOME: join(folder, 'home'), ...environment })?.token).toBe(TOKEN);
    }
    expect(readToken({ HOME: join(folder, 'home'), TMPDIR: unused })).toBeNull();
  });

  it('hold nothing at first, silently', () => {
    const ignored: string[] = [];
    expect(readToken({}, platform, (place) => ignored.push(place))).toBeNull();
    expect(ignored).toEqual([]);
  });

  it('that others could have written are passed over with a reason', () => {
    const place = join(folder, 'home', '.local', 'state', 'ringtail', 'token');
    const reasonOf = () => {
      let reason = '';
      expect(
        readToken({}, platform, (_place, told) => {
          reason = told;
        }),
      ).toBeNull();
      return reason;
    };
    put(place, TOKEN, 0o755);
    expect(reasonOf()).toBe('its folder has mode 0755: run chmod 700 on it');
    put(place, TOKEN, 0o700, 0o644);
    expect(reasonOf()).toBe('has mode 0644: run chmod 600 on it');
    put(place, 'short');
    expect(reasonOf()).toBe('a token has 16 to 512 characters, got 5');
    put(place, 'x'.repeat(5000));
    expect(reasonOf()).toContain('holds 5001 bytes');
    rmSync(place);
    symlinkSync(put(join(folder, 'elsewhere', 'token')), place);
    expect(reasonOf()).toContain('ELOOP');
    rmSync(place);
    mkdirSync(place);
    expect(reasonOf()).toBe('is not a plain file');
  });

  it('of another user are passed over', () => {
    put(join(folder, 'home', '.local', 'state', 'ringtail', 'token'));
    const ignored: string[] = [];
    expect(readToken({}, { ...platform, uid: uid + 1 }, (_place, reason) => ignored.push(reason))).toBeNull();
    expect(ignored[0]).toBe(`its folder belongs to user ${uid}, not to ${uid + 1}`);
  });

  it('named by hand may be a mounted secret, but not one that others write', () => {
    const named = put(join(folder, 'secret'), TOKEN, 0o755, 0o444);
    expect(readToken({ RINGTAIL_TOKEN_FILE: named }, platform)?.token).toBe(TOKEN);
    chmodSync(named, 0o666);
    const ignored: string[] = [];
    readToken({ RINGTAIL_TOKEN_FILE: named }, platform, (_place, reason) => ignored.push(reason));
    expect(ignored).toEqual(['has mode 0666: others can write it']);
  });
});

describe('making a token', () => {
  it('writes 256 random bits where agents find them', () => {
    const made = createToken({}, platform)!;
    expect(made.token).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(made.place).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(made.place)).mode & 0o777).toBe(0o700);
    expect(readToken({}, platform)).toEqual(made);
    expect(createToken({}, platform)).toEqual(made);
  });

  it('takes the next place when one cannot be written, null when none can', () => {
    writeFileSync(join(folder, 'home', '.local'), 'in the way');
    expect(createToken({}, platform)?.place).toBe(join(folder, 'tmp', `ringtail-${uid}`, 'token'));
    rmSync(join(folder, 'tmp'), { recursive: true });
    writeFileSync(join(folder, 'tmp'), 'in the way');
    expect(createToken({}, platform)).toBeNull();
  });

  it('is what a collector does at its first start', async () => {
    const environment = { XDG_RUNTIME_DIR: join(folder, 'run'), HOME: join(folder, 'home') };
    const lines: string[] = [];
    const collector = await startCollector({ port: 0, environment, log: (line) => lines.push(line) });
    const place = join(folder, 'run', 'ringtail', 'token');
    expect(collector.tokenPlace).toBe(place);
    const token = readFileSync(place, 'utf8').trim();
    await collector.close();
    const again = await startCollector({ port: 0, environment, log: (line) => lines.push(line) });
    expect([again.tokenPlace, readFileSync(place, 'utf8').trim()]).toEqual([place, token]);
    await again.close();
    expect(lines).toEqual([]);
    expect(existsSync(join(folder, 'home', '.local'))).toBe(false);
  });
});
