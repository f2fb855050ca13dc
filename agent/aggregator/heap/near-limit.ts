/**
 * What is done when the heap comes near its limit: a capture, told with its largest sites at once and written to a file,
 * because what follows may be the end of the process: running out of heap leaves no time for anything.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { evidence, leakSuspects } from '../../../collector/profile/leak-suspects';
import { encodePprof } from '../../../collector/profile/pprof';
import { aboutComments } from '../profiles/about-comments';
import type { ProfileContext } from '../profiles/context';
import { heapProfile } from '../profiles/heap';
import { heapComments } from '../profiles/heap-text';
import { privateFolder } from './private-folder';

const SITES_TOLD = 3;

export async function captureNearLimit(
  context: ProfileContext,
  usedBytes: number,
  limitBytes: number,
): Promise<void> {
  const { heap, data, note } = context;
  const folder = privateFolder(data.tokenEnvironment);
  const captures = await heap.captures();
  const capture = await captures.live('near the heap limit');
  const share = `the heap was at ${((100 * usedBytes) / limitBytes).toFixed(0)} % of its limit of ${Math.round(limitBytes / 1e6)} MB`;
  const profile = heapProfile(context, capture.reading, 'heap');
  profile.head.comments.push(
    share,
    ...heapComments(capture, captures.points, heap.skipped),
    ...aboutComments(context),
  );
  const path = join(folder, `heap-limit-${process.pid}-${Date.now()}.pb.gz`);
  writeFileSync(`${path}.part`, gzipSync(encodePprof(profile), { level: 1 }), { mode: 0o600, flag: 'wx' });
  renameSync(`${path}.part`, path);
  const after = `${Math.round(capture.reading.usedBytesAfter / 1e6)} MB after the capture`;
  const sites = leakSuspects(captures.points, SITES_TOLD).map((suspect) => evidence(suspect));
  note(`${share}, ${after}: ${path}`);
  note(sites.length === 0 ? 'no site of the heap stands out' : sites.join('; '));
}
