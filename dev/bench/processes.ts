import { readdirSync, readFileSync } from 'node:fs';

/** Kernel ticks a second in /proc/<pid>/stat; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** The processes with these ids and all their descendants that live now; Linux only. */
export function processTree(roots: readonly number[]): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    const fields = /^\d+$/.test(entry) ? statFields(Number(entry)) : undefined;
    if (fields !== undefined) parents.set(Number(entry), Number(fields[1]));
  }
  const wanted = new Set(roots);
  const belongs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)) {
      if (wanted.has(at)) return true;
    }
    return false;
  };
  return [...parents.keys()].filter(belongs);
}

/** Proportional set size in MB of the given processes and all their descendants (decision 8). */
export function pssMegabytes(roots: readonly number[]): number {
  let kilobytes = 0;
  for (const pid of processTree(roots)) {
    const rollup = readIfThere(`/proc/${pid}/smaps_rollup`);
    kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(rollup ?? '')?.[1] ?? 0);
  }
  return Math.round(kilobytes / 1024);
}

/** The most memory in MB that the process has had resident at any time; Linux only. */
export function peakResidentMegabytes(pid: number): number {
  const status = readIfThere(`/proc/${pid}/status`) ?? '';
  return Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024);
}

/** CPU-seconds, user and system, that the processes and their descendants have used so far. */
export function cpuSeconds(roots: readonly number[]): number {
  let ticks = 0;
  for (const pid of processTree(roots)) {
    const fields = statFields(pid) ?? [];
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  // Of descendants that have ended and were waited for.
  for (const pid of roots) {
    const fields = statFields(pid) ?? [];
    ticks += Number(fields[13] ?? 0) + Number(fields[14] ?? 0);
  }
  return ticks / ticksPerSecond;
}

/** CPU-seconds that the whole machine has worked so far, all of its processors together. */
export function machineCpuSeconds(): number {
  const [, user, nice, system, , , irq, softirq] =
    (readIfThere('/proc/stat') ?? '').split('\n', 1)[0]?.split(/ +/) ?? [];
  return [user, nice, system, irq, softirq].reduce((sum, ticks) => sum + Number(ticks ?? 0), 0) / ticksPerSecond;
}

/** The fields behind the name: state, parent, … (proc_pid_stat(5), numbered from 3 there). */
function statFields(pid: number): string[] | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** A process may end at any moment, or not be ours to read. */
function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
