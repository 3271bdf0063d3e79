// Sets the theme and the language before anything is painted, so that nothing
// flashes. It is a file of its own because the policy permits no inline script.
(function () {
  var p = {};
  try {
    p = JSON.parse(localStorage.getItem('portico') || '{}') || {};
  } catch (e) {
    p = {};
  }
  var asks = function (q) {
    return window.matchMedia(q).matches;
  };
  var root = document.documentElement;
  var dark = p.theme === 'dark' || (p.theme !== 'light' && asks('(prefers-color-scheme: dark)'));
  root.dataset.theme = dark ? 'dark' : 'light';
  if (p.contrast === 'more' || asks('(prefers-contrast: more)')) root.dataset.contrast = 'more';
  if (p.lang) {
    root.lang = p.lang;
    root.dir = p.lang === 'ar' ? 'rtl' : 'ltr';
  }
})();
