import type { Done, Problem } from '../view/model.ts';

// Running is one pressed control: busy until the node has answered, then its answer if that was a refusal.
export class Running {
  busy: boolean = $state(false);
  problem: Problem | null = $state.raw(null);

  async run(action: () => Done): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.problem = null;
    try {
      const outcome = await action();
      if (!outcome.ok) this.problem = outcome.problem;
      return outcome.ok;
    } catch {
      this.problem = { code: 'internal' };
      return false;
    } finally {
      this.busy = false;
    }
  }
}
