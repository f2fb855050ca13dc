/**
 * The rows, in the order of the table: name (for --only), file, and whether it is measured on each Node line.
 * Cheap ones first, so that something is there when somebody interrupts.
 */
export const ROWS = [{ name: 'record', file: 'record.mjs', everyLine: true }];
