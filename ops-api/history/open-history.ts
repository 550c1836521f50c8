import { errorFields, type Log } from '../../lib/telemetry/log.ts';
import { History } from './history.ts';
import { loadHistory, saveHistory } from './history-file.ts';

/** What was known before the last stop, and the way to keep it. Without a file the history begins at each start. */
export function openHistory(file: string | undefined, log: Log): { history: History; save(): void } {
  if (file === undefined) return { history: new History(), save() {} };
  const { history, state } = loadHistory(file);
  if (state === 'unreadable') log.warn('history-unreadable', { setting: 'OPS_API_HISTORY_FILE' });
  return {
    history,
    save() {
      try {
        saveHistory(file, history);
      } catch (error) {
        log.error('history-not-saved', { setting: 'OPS_API_HISTORY_FILE', ...errorFields(error) });
      }
    },
  };
}
