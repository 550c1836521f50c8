/** A difference between real and fake answers that is put into the gateway to see whether it is found. */
export interface Plant {
  /** Milliseconds by which real answers leave later than their slot. */
  readonly leaveMs: number;
  /** Milliseconds by which real answers are ready later, as if the handler had taken them. */
  readonly handlerMs: number;
  /** Answers leave when they are ready: for measuring what the machine can bear. */
  readonly floorOff: boolean;
}

export const noPlant: Plant = { leaveMs: 0, handlerMs: 0, floorOff: false };

/** Tells the gateway's process what to plant from now on. */
export async function setPlant(port: number, plant: Partial<Plant>): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    body: JSON.stringify({ ...noPlant, ...plant }),
  });
  await answer.body?.cancel();
}
