/** The type under which a dragged run travels: its name, as exp001/s0. The plain text is the same. */
export const RUN_TYPE = 'application/x-wavebook-run';

export function startRunDrag(event: React.DragEvent, run: string): void {
  event.dataTransfer.setData(RUN_TYPE, run);
  event.dataTransfer.setData('text/plain', run);
  event.dataTransfer.effectAllowed = 'copyMove';
}

/** Whether what is dragged is a run; its name can be read only when it is dropped. */
export function dragsRun(event: React.DragEvent): boolean {
  return event.dataTransfer.types.includes(RUN_TYPE);
}
