import type { Phase, Role } from '../view/model.ts';

// Exactly the controls of one's role. Nobody has one that acts on another person, of either side. A principal needs none: the same
// list stands behind "For the technician".
export interface Controls {
  readonly microphone: boolean;
  readonly camera: boolean;
  readonly screen: boolean;
  readonly officer: boolean;
  readonly suspend: boolean;
}

export function controlsOf(role: Role, officer: boolean, phase: Phase['kind']): Controls {
  const open = phase === 'open';
  const silent = role === 'observer';
  return {
    microphone: !silent,
    camera: !silent,
    screen: open && !silent && role !== 'interpreter' && role !== 'principal',
    officer,
    suspend: officer && open,
  };
}
