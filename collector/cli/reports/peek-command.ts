/** `ringtail peek`: functions between their callers and what they call. */
import { peekFunctions } from '../../profile/report/peek';
import { EXIT_OK } from '../cli-error';
import { noMatch } from './no-match';
import { print } from './output';
import { openReport, type ReportWords } from './report';

export async function peekCommand(
  pattern: RegExp,
  source: string | undefined,
  words: ReportWords,
): Promise<number> {
  const { profile, type, scale, head } = await openReport(source, words);
  const blocks = peekFunctions(profile, type, pattern, scale);
  if (blocks.length === 0) throw noMatch(pattern);
  print([...head, ...blocks.flatMap((block) => ['', ...block])]);
  return EXIT_OK;
}
