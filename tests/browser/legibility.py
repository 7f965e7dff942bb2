"""What a person with any screen can read of a page."""

WIDTHS = {"desktop": 1280, "phone": 375}

CONTRASTS = """() => {
  // the contrast of every visible text with what is painted behind it, as WCAG 2 defines it
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const linear = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim().slice(0, 40);
    if (!text || element.closest("svg, script, style, .unseen") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [one, other] = [luminance(rgba(style.color)), luminance(behind(element))].sort((a, b) => b - a);
    found.push({ text, size: parseFloat(style.fontSize), ratio: (one + 0.05) / (other + 0.05) });
  }
  return found;
}"""


def texts(tab) -> list[dict]:
    """Every visible text of a page, with everything unfolded: its ``size`` in pixels, and the ``ratio`` of contrast."""
    tab.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    return tab.evaluate(CONTRASTS)


def is_faint(text: dict) -> bool:
    """Whether it falls short of WCAG 2 AA."""
    return text["ratio"] < (3 if text["size"] >= 24 else 4.5)
