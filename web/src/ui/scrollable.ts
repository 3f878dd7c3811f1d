// A list that does not fit must be reached by keyboard to be scrolled; one that fits must not be a stop on the way.
export function scrollable(element: HTMLElement): () => void {
  const look = (): void => {
    const overflows = element.scrollHeight > element.clientHeight + 1 || element.scrollWidth > element.clientWidth + 1;
    if (overflows) element.tabIndex = 0;
    else element.removeAttribute('tabindex');
  };
  const sizes = new ResizeObserver(look);
  sizes.observe(element);
  const children = new MutationObserver(look);
  children.observe(element, { childList: true });
  look();
  return () => {
    sizes.disconnect();
    children.disconnect();
  };
}
