/** The ids of Wavebook's commands; what they do is in commands.ts. */
export namespace CommandIDs {
  export const open = 'wavebook:open';
  export const plan = 'wavebook:plan';
  export const approve = 'wavebook:approve';
  export const reject = 'wavebook:reject';
  export const cancelRun = 'wavebook:cancel-run';
  export const cancelWave = 'wavebook:cancel-wave';
  export const openNotebook = 'wavebook:open-notebook';
  export const openLog = 'wavebook:open-log';
  export const openReport = 'wavebook:open-report';
  export const openComparison = 'wavebook:open-comparison';
  export const openRun = 'wavebook:open-run';
  export const openDevices = 'wavebook:open-devices';
  export const retryRun = 'wavebook:retry-run';
  export const retryWave = 'wavebook:retry-wave';
  export const setPriority = 'wavebook:set-priority';
  export const moveRun = 'wavebook:move-run';
  export const revealFolder = 'wavebook:reveal-folder';
  export const newConversation = 'wavebook:new-conversation';
  export const refresh = 'wavebook:refresh';
}
