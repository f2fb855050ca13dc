/** Who has a port of the loopback that is taken: a collector tells by its first page, or by the realm of its token. */
import { DEFAULT_HOST } from '../collector-url';

const FETCH_MILLIS = 1000;

export async function portHolder(port: number): Promise<'a ringtail collector' | 'another program'> {
  try {
    const response = await fetch(`http://${DEFAULT_HOST}:${port}/`, {
      signal: AbortSignal.timeout(FETCH_MILLIS),
      headers: { connection: 'close' },
      redirect: 'manual',
    });
    const realm = response.headers.get('www-authenticate') ?? '';
    const isOurs = response.ok
      ? (await response.text()).includes('<h1>ringtail collector</h1>')
      : realm.includes('realm="ringtail"');
    return isOurs ? 'a ringtail collector' : 'another program';
  } catch {
    return 'another program';
  }
}
