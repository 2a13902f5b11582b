import type { Page } from 'playwright-core';

/**
 * What stands in the way of people on this page as it is now, in words; after WCAG 2.2 AA, as far as a program can tell:
 * names of controls, order of headings, ids, contrast of text, room on a narrow screen, size of what is pressed.
 */
export function audit(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const shown = (element: Element) => {
      const box = element.getBoundingClientRect();
      return (
        element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && box.width > 1 && box.height > 1
      );
    };
    const where = (element: Element) => {
      const text = (element.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 40);
      return `<${element.tagName.toLowerCase()}${element.className ? ` class="${element.getAttribute('class')}"` : ''}> ${text}`;
    };
    const referred = (element: Element, attribute: string) =>
      (element.getAttribute(attribute) ?? '')
        .split(/\s+/)
        .map((id) => document.getElementById(id)?.textContent ?? '')
        .join(' ');
    const nameOf = (element: Element) => {
      const labels = 'labels' in element ? [...((element as HTMLInputElement).labels ?? [])] : [];
      const names = [
        element.getAttribute('aria-label') ?? '',
        referred(element, 'aria-labelledby'),
        ...labels.map((label) => label.textContent ?? ''),
        /^(A|BUTTON|SUMMARY)$/.test(element.tagName) ? (element.textContent ?? '') : '',
        element.querySelector(':scope > legend')?.textContent ?? '',
      ];
      return names.join(' ').trim();
    };

    const controls = [
      ...document.querySelectorAll('a[href], button, input, select, textarea, summary, meter, progress'),
    ];
    for (const control of controls) {
      if (!shown(control)) continue;
      if (nameOf(control) === '') found.push(`has no name: ${where(control)}`);
      const { width, height } = control.getBoundingClientRect();
      const inLine = getComputedStyle(control).display === 'inline' || control.closest('label') !== null;
      // WCAG 2.2, 2.5.8: but for links within a text.
      const pressed = !/^(METER|PROGRESS)$/.test(control.tagName);
      if (pressed && !inLine && (width < 24 || height < 20))
        found.push(`is small (${width}x${height}): ${where(control)}`);
    }
    for (const region of document.querySelectorAll('fieldset, [role=log], [role=slider], nav, aside')) {
      if (shown(region) && nameOf(region) === '') found.push(`region without a name: ${where(region)}`);
    }
    for (const image of document.querySelectorAll('img, canvas')) {
      if (!image.hasAttribute('alt') && !image.closest('[aria-hidden=true], [role=slider]')) {
        found.push(`picture without a text: ${where(image)}`);
      }
    }

    const ids = new Map<string, number>();
    for (const { id } of document.querySelectorAll('[id]')) ids.set(id, (ids.get(id) ?? 0) + 1);
    for (const [id, count] of ids) if (count > 1) found.push(`id "${id}" stands ${count} times`);
    for (const element of document.querySelectorAll('[aria-labelledby], [aria-describedby], [aria-controls]')) {
      for (const attribute of ['aria-labelledby', 'aria-describedby', 'aria-controls']) {
        for (const id of (element.getAttribute(attribute) ?? '').split(/\s+/).filter(Boolean)) {
          if (!document.getElementById(id)) found.push(`${attribute} leads nowhere (${id}): ${where(element)}`);
        }
      }
    }

    const headings = [...document.querySelectorAll('h1, h2, h3, h4')].filter((heading) => heading.checkVisibility());
    const levels = headings.map(({ tagName }) => Number(tagName[1]));
    if (levels.filter((level) => level === 1).length > 1) found.push('has several h1');
    if (!levels.includes(1)) found.push('has no h1');
    levels.forEach((level, i) => {
      if (i > 0 && level > levels[i - 1]! + 1) found.push(`skips a level of heading: ${where(headings[i]!)}`);
    });
    if (document.querySelectorAll('main, [role=main]').length !== 1) found.push('has not one main');
    if (document.title === '') found.push('has no title');

    // Contrast: what a text stands on is the nearest ground behind it, mixed where it is translucent.
    const canvas = document.createElement('canvas');
    canvas.width = 1;
    canvas.height = 1;
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    const groundOf = (element: Element) => {
      const layers: string[] = [];
      for (let one: Element | null = element; one; one = one.parentElement) {
        layers.unshift(getComputedStyle(one).backgroundColor);
      }
      return layers;
    };
    const painted = (layers: string[]) => {
      context.clearRect(0, 0, 1, 1);
      for (const colour of ['white', ...layers]) {
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
      }
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (rgb: number[]) => {
      const [r, g, b] = rgb.map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const seen = new Set<Element>();
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      const element = node.parentElement!;
      if (!node.textContent?.trim() || seen.has(element) || !shown(element)) continue;
      seen.add(element);
      // What cannot be used need not stand out.
      if (element.closest(':disabled, .visually-hidden, option, noscript')) continue;
      const style = getComputedStyle(element);
      const ground = groundOf(element);
      const [dark, light] = [luminance(painted(ground)), luminance(painted([...ground, style.color]))].sort(
        (a, b) => a - b,
      );
      const ratio = (light! + 0.05) / (dark! + 0.05);
      const size = Number.parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (large ? 3 : 4.5) - 0.05) found.push(`contrast ${ratio.toFixed(2)}: ${where(element)}`);
    }

    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) found.push(`is wider than the screen: ${scrollWidth} of ${clientWidth}`);
    for (const element of document.querySelectorAll('button, input, select, h1, h2, .chip, a.button')) {
      const { right, left } = element.getBoundingClientRect();
      const scrolls = element.closest('.table, .list-scroll, .places, .ladder, pre');
      if (shown(element) && !scrolls && (right > clientWidth + 1 || left < -1))
        found.push(`is cut off: ${where(element)}`);
    }
    return [...new Set(found)];
  });
}

/** Goes through the page by the Tab key: what cannot be seen when it has the focus, or shows no sign of it. */
export async function auditFocus(page: Page, most = 120): Promise<string[]> {
  const found: string[] = [];
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  let before = '';
  for (let i = 0; i < most; i++) {
    await page.keyboard.press('Tab');
    const now = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return undefined;
      const box = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      const text = (element.textContent || element.getAttribute('aria-label') || '').trim().slice(0, 40);
      const name = `<${element.tagName.toLowerCase()}> ${text}`;
      const seen = box.bottom > 0 && box.top < innerHeight && box.width > 0 && box.height > 0;
      const marked = style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) > 0;
      return { name, seen, marked, key: `${name} ${box.top} ${box.left}` };
    });
    if (now === undefined || now.key === before) break;
    before = now.key;
    if (!now.seen) found.push(`has the focus out of sight: ${now.name}`);
    if (!now.marked) found.push(`does not show the focus: ${now.name}`);
  }
  return [...new Set(found)];
}
