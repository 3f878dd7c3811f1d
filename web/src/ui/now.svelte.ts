import { createSubscriber } from 'svelte/reactivity';

// The minute hand of the page: one timer for every clock, running only while a clock is on the screen.
let fixed: number | null = null;
const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1000);
  return () => clearInterval(timer);
});

export function now(): number {
  subscribe();
  return fixed ?? Date.now();
}

// For the gallery, whose pictures must not change with the hour.
export function stopAt(ms: number): void {
  fixed = ms;
}
