import { InputDialog } from '@jupyterlab/apputils';

/**
 * Let a person choose where a command was called without saying what it is for.
 *
 * @returns The item, the only one there is without asking, or null when the dialog was dismissed.
 * @throws When there is nothing to choose from.
 */
export async function choose<T>(
  items: ReadonlyArray<T>,
  describe: (item: T) => string,
  title: string,
  none: string
): Promise<T | null> {
  if (items.length === 0) {
    throw new Error(none);
  }
  if (items.length === 1) {
    return items[0];
  }
  const labels = items.map(describe);
  const { value } = await InputDialog.getItem({ title, items: labels });
  return value === null ? null : (items[labels.indexOf(value)] ?? null);
}
