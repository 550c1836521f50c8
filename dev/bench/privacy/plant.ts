import { createServer } from 'node:http';
import { AnswerSchedule, type Slot } from '../../../gateway/answer-schedule.ts';
import { secureRandom } from '../../../lib/random/random.ts';
import { silentLog } from '../../../lib/telemetry/log.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import { noPlant, type Plant } from './plants.ts';

/**
 * Loaded into the gateway's process before its own code (`--import`), for measurements alone: plants a difference
 * between real and fake answers, which one it is told over a port of its own.
 */
let plant: Plant = noPlant;

const port = Number(process.env['GATEWAY_PLANT_PORT']);
createServer((request, response) => {
  const told: Buffer[] = [];
  request.on('data', (chunk: Buffer) => told.push(chunk));
  request.on('end', () => {
    plant = JSON.parse(Buffer.concat(told).toString()) as Plant;
    response.end();
  });
})
  .listen(port, '127.0.0.1')
  .unref();

const withoutFloor = new AnswerSchedule({ clock: systemClock, random: secureRandom, log: silentLog, floorMs: 0 });
const { arrive } = AnswerSchedule.prototype;

AnswerSchedule.prototype.arrive = function (group): Slot {
  if (plant.floorOff) return arrive.call(withoutFloor, group);
  const slot = arrive.call(this, group);
  const { leaveMs, handlerMs } = plant;
  return {
    bodyEnded: () => slot.bodyEnded(),
    abandon: () => slot.abandon(),
    ready(kind, send) {
      const real = kind !== 'fake';
      const leave = real && leaveMs > 0 ? () => after(leaveMs, send) : send;
      if (real && handlerMs > 0) setTimeout(() => slot.ready(kind, leave), handlerMs);
      else slot.ready(kind, leave);
    },
  };
};

/** To a few hundredths of a millisecond, unlike a timer; others are served meanwhile. */
function after(ms: number, act: () => void): void {
  const at = performance.now() + ms;
  const look = (): void => {
    const left = at - performance.now();
    if (left <= 0) act();
    else if (left > 3) setTimeout(look, left - 2);
    else setImmediate(look);
  };
  look();
}
