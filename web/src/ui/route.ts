// Which of the pages beside the main screen is open. The address bar's fragment holds it, so that Back works; it names no session
// and no person.
export const routes = ['', 'roster', 'fingerprint', 'link', 'officer', 'officer/people', 'officer/links', 'officer/sessions'] as const;
export type Route = (typeof routes)[number];

export function routeOf(hash: string): Route {
  const name = hash.replace(/^#\/?/, '');
  return (routes as readonly string[]).includes(name) ? (name as Route) : '';
}

export function isOffice(route: string): boolean {
  return route === 'link' || route.startsWith('officer');
}
