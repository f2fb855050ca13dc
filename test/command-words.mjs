/** The words of a command line of ours, for `npm run bench` and `npm run soak`. */
import { parseArgs } from 'node:util';

/**
 * The values of parseArgs. A word that is none ends the process with 2 and a line that says what was got and what there
 * is; --help prints what there is.
 */
export function commandWords(command, options) {
  const known = `npm run ${command} --${Object.entries(options)
    .map(([name, { type }]) => ` [--${name}${type === 'string' ? ' …' : ''}]`)
    .join('')}`;
  try {
    const help = { type: 'boolean', default: false };
    const { values } = parseArgs({ options: { ...options, help } });
    if (!values.help) return values;
    console.log(known);
    process.exit(0);
  } catch (error) {
    return refuseWords(command, `${error.message}\n${known}`);
  }
}

export function refuseWords(command, text) {
  console.error(`${command}: ${text}`);
  process.exit(2);
}
