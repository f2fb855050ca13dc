/** `ringtail list`: source text with what its lines took. */
import { listFunctions, listingText } from '../../profile/report/listing';
import { EXIT_OK } from '../cli-error';
import { noMatch } from './no-match';
import { print } from './output';
import { openReport, type ReportWords } from './report';
import { SourceFiles } from './source-files';

export type ListWords = ReportWords & { sourcePath: string };

export async function listCommand(
  pattern: RegExp,
  source: string | undefined,
  words: ListWords,
): Promise<number> {
  const { profile, type, total, scale, head } = await openReport(source, words);
  const listings = listFunctions(profile, type, pattern);
  if (listings.length === 0) throw noMatch(pattern);
  const files = new SourceFiles(words.sourcePath);
  const blocks = listings.map((listing) => listingText(listing, (file) => files.read(file), total, scale));
  print([...head, ...blocks.flatMap((block) => ['', ...block])]);
  return EXIT_OK;
}
