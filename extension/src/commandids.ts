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
  export const openConversation = 'wavebook:open-conversation';
  export const renameConversation = 'wavebook:rename-conversation';
  export const deleteConversation = 'wavebook:delete-conversation';
  export const stopAnswer = 'wavebook:stop-answer';
  export const retryAnswer = 'wavebook:retry-answer';
  export const attach = 'wavebook:attach';
  export const grantBudget = 'wavebook:grant-budget';
  export const revokeBudget = 'wavebook:revoke-budget';
  export const grantNight = 'wavebook:grant-night';
  export const stopNight = 'wavebook:stop-night';
  export const openReplay = 'wavebook:open-replay';
  export const copyTemplate = 'wavebook:copy-template';
  export const checkTemplates = 'wavebook:check-templates';
  export const refresh = 'wavebook:refresh';
}
