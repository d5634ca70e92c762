/**
 * Named moments between which a crash may fall, in the order in which a frame passes them.
 *
 * Whoever composes the pipeline may watch them; crash tests end the process there.
 */
export const STEPS = [
  'journal.append.before',
  'journal.append.after',
  'journal.fsync.before',
  'journal.fsync.after',
  'ack.before',
  'ack.after',
  'load.plan.before',
  'load.plan.after',
  'load.stage.after',
  'load.usage.after',
  'load.rejected.after',
  'load.inserted.after',
  'roll.before',
  'roll.between',
  'roll.after',
  'checkpoint.before',
  'checkpoint.after',
  'retire.before',
  'retire.after',
] as const
export type Step = (typeof STEPS)[number]

/** Told each time a step is reached. */
export type StepListener = (step: Step) => void
