/**
 * A set of labels as one string, for the label column of samples: `key=value` joined by commas, with percent, comma and
 * equals sign written as %25, %2C and %3D.
 */

const TO_WRITE = /[%,=]/g;

/** labels: flat key, value. */
export function labelText(labels: readonly string[]): string {
  const pairs: string[] = [];
  for (let index = 0; index + 1 < labels.length; index += 2)
    pairs.push(`${written(labels[index]!)}=${written(labels[index + 1]!)}`);
  return pairs.join(',');
}

/** Flat key, value. What has no equals sign is the value of a label called `label`. */
export function labelsOfText(text: string): string[] {
  if (text === '') return [];
  return text.split(',').flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals < 0 ? ['label', read(pair)] : [read(pair.slice(0, equals)), read(pair.slice(equals + 1))];
  });
}

function written(text: string): string {
  return text.replace(TO_WRITE, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function read(text: string): string {
  return text.replace(/%(25|2C|3D)/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
