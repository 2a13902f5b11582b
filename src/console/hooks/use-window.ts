import { type RefObject, useLayoutEffect, useState } from 'react';

/** The rows of a long list that are in view, with some to spare: only these are rendered. */
export function useWindow(
  scroller: RefObject<HTMLElement | null>,
  rowHeight: number,
  count: number,
  onScroll: (top: number) => void,
): { first: number; last: number } {
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(0);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => setHeight(element.clientHeight);
    const scrolled = () => {
      // Rounded to whole rows, so that React works once per row and not once per pixel.
      setTop(Math.floor(element.scrollTop / rowHeight) * rowHeight);
      onScroll(element.scrollTop);
    };
    measure();
    scrolled();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', scrolled, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', scrolled);
    };
  }, [scroller, rowHeight, onScroll]);

  const spare = 8;
  return {
    first: Math.max(0, Math.floor(top / rowHeight) - spare),
    last: Math.min(count, Math.ceil((top + height) / rowHeight) + spare),
  };
}
