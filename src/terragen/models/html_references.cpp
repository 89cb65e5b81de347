#include "terragen/models/html_references.h"

namespace terragen::models {

// clang-format off
const std::map<std::u32string, char32_t>& html_references() {
  static const std::map<std::u32string, char32_t> names = {
      {U"AElig", 0xC6}, {U"Aacute", 0xC1}, {U"Acirc", 0xC2}, {U"Agrave", 0xC0}, {U"Alpha", 0x391}, {U"Aring", 0xC5},
      {U"Atilde", 0xC3}, {U"Auml", 0xC4}, {U"Beta", 0x392}, {U"Ccedil", 0xC7}, {U"Chi", 0x3A7}, {U"Dagger", 0x2021},
      {U"Delta", 0x394}, {U"ETH", 0xD0}, {U"Eacute", 0xC9}, {U"Ecirc", 0xCA}, {U"Egrave", 0xC8}, {U"Epsilon", 0x395},
      {U"Eta", 0x397}, {U"Euml", 0xCB}, {U"Gamma", 0x393}, {U"Iacute", 0xCD}, {U"Icirc", 0xCE}, {U"Igrave", 0xCC},
      {U"Iota", 0x399}, {U"Iuml", 0xCF}, {U"Kappa", 0x39A}, {U"Lambda", 0x39B}, {U"Mu", 0x39C}, {U"Ntilde", 0xD1},
      {U"Nu", 0x39D}, {U"OElig", 0x152}, {U"Oacute", 0xD3}, {U"Ocirc", 0xD4}, {U"Ograve", 0xD2}, {U"Omega", 0x3A9},
      {U"Omicron", 0x39F}, {U"Oslash", 0xD8}, {U"Otilde", 0xD5}, {U"Ouml", 0xD6}, {U"Phi", 0x3A6}, {U"Pi", 0x3A0},
      {U"Prime", 0x2033}, {U"Psi", 0x3A8}, {U"Rho", 0x3A1}, {U"Scaron", 0x160}, {U"Sigma", 0x3A3}, {U"THORN", 0xDE},
      {U"Tau", 0x3A4}, {U"Theta", 0x398}, {U"Uacute", 0xDA}, {U"Ucirc", 0xDB}, {U"Ugrave", 0xD9}, {U"Upsilon", 0x3A5},
      {U"Uuml", 0xDC}, {U"Xi", 0x39E}, {U"Yacute", 0xDD}, {U"Yuml", 0x178}, {U"Zeta", 0x396}, {U"aacute", 0xE1},
      {U"acirc", 0xE2}, {U"acute", 0xB4}, {U"aelig", 0xE6}, {U"agrave", 0xE0}, {U"alefsym", 0x2135}, {U"alpha", 0x3B1},
      {U"amp", 0x26}, {U"and", 0x2227}, {U"ang", 0x2220}, {U"apos", 0x27}, {U"aring", 0xE5}, {U"asymp", 0x2248},
      {U"atilde", 0xE3}, {U"auml", 0xE4}, {U"bdquo", 0x201E}, {U"beta", 0x3B2}, {U"brvbar", 0xA6}, {U"bull", 0x2022},
      {U"cap", 0x2229}, {U"ccedil", 0xE7}, {U"cedil", 0xB8}, {U"cent", 0xA2}, {U"chi", 0x3C7}, {U"circ", 0x2C6},
      {U"clubs", 0x2663}, {U"cong", 0x2245}, {U"copy", 0xA9}, {U"crarr", 0x21B5}, {U"cup", 0x222A}, {U"curren", 0xA4},
      {U"dArr", 0x21D3}, {U"dagger", 0x2020}, {U"darr", 0x2193}, {U"deg", 0xB0}, {U"delta", 0x3B4}, {U"diams", 0x2666},
      {U"divide", 0xF7}, {U"eacute", 0xE9}, {U"ecirc", 0xEA}, {U"egrave", 0xE8}, {U"empty", 0x2205}, {U"emsp", 0x2003},
      {U"ensp", 0x2002}, {U"epsilon", 0x3B5}, {U"equiv", 0x2261}, {U"eta", 0x3B7}, {U"eth", 0xF0}, {U"euml", 0xEB},
      {U"euro", 0x20AC}, {U"exist", 0x2203}, {U"fnof", 0x192}, {U"forall", 0x2200}, {U"frac12", 0xBD},
      {U"frac14", 0xBC}, {U"frac34", 0xBE}, {U"frasl", 0x2044}, {U"gamma", 0x3B3}, {U"ge", 0x2265}, {U"gt", 0x3E},
      {U"hArr", 0x21D4}, {U"harr", 0x2194}, {U"hearts", 0x2665}, {U"hellip", 0x2026}, {U"iacute", 0xED},
      {U"icirc", 0xEE}, {U"iexcl", 0xA1}, {U"igrave", 0xEC}, {U"image", 0x2111}, {U"infin", 0x221E}, {U"int", 0x222B},
      {U"iota", 0x3B9}, {U"iquest", 0xBF}, {U"isin", 0x2208}, {U"iuml", 0xEF}, {U"kappa", 0x3BA}, {U"lArr", 0x21D0},
      {U"lambda", 0x3BB}, {U"lang", 0x2329}, {U"laquo", 0xAB}, {U"larr", 0x2190}, {U"lceil", 0x2308},
      {U"ldquo", 0x201C}, {U"le", 0x2264}, {U"lfloor", 0x230A}, {U"lowast", 0x2217}, {U"loz", 0x25CA}, {U"lrm", 0x200E},
      {U"lsaquo", 0x2039}, {U"lsquo", 0x2018}, {U"lt", 0x3C}, {U"macr", 0xAF}, {U"mdash", 0x2014}, {U"micro", 0xB5},
      {U"middot", 0xB7}, {U"minus", 0x2212}, {U"mu", 0x3BC}, {U"nabla", 0x2207}, {U"nbsp", 0xA0}, {U"ndash", 0x2013},
      {U"ne", 0x2260}, {U"ni", 0x220B}, {U"not", 0xAC}, {U"notin", 0x2209}, {U"nsub", 0x2284}, {U"ntilde", 0xF1},
      {U"nu", 0x3BD}, {U"oacute", 0xF3}, {U"ocirc", 0xF4}, {U"oelig", 0x153}, {U"ograve", 0xF2}, {U"oline", 0x203E},
      {U"omega", 0x3C9}, {U"omicron", 0x3BF}, {U"oplus", 0x2295}, {U"or", 0x2228}, {U"ordf", 0xAA}, {U"ordm", 0xBA},
      {U"oslash", 0xF8}, {U"otilde", 0xF5}, {U"otimes", 0x2297}, {U"ouml", 0xF6}, {U"para", 0xB6}, {U"part", 0x2202},
      {U"permil", 0x2030}, {U"perp", 0x22A5}, {U"phi", 0x3C6}, {U"pi", 0x3C0}, {U"piv", 0x3D6}, {U"plusmn", 0xB1},
      {U"pound", 0xA3}, {U"prime", 0x2032}, {U"prod", 0x220F}, {U"prop", 0x221D}, {U"psi", 0x3C8}, {U"quot", 0x22},
      {U"rArr", 0x21D2}, {U"radic", 0x221A}, {U"rang", 0x232A}, {U"raquo", 0xBB}, {U"rarr", 0x2192}, {U"rceil", 0x2309},
      {U"rdquo", 0x201D}, {U"real", 0x211C}, {U"reg", 0xAE}, {U"rfloor", 0x230B}, {U"rho", 0x3C1}, {U"rlm", 0x200F},
      {U"rsaquo", 0x203A}, {U"rsquo", 0x2019}, {U"sbquo", 0x201A}, {U"scaron", 0x161}, {U"sdot", 0x22C5},
      {U"sect", 0xA7}, {U"shy", 0xAD}, {U"sigma", 0x3C3}, {U"sigmaf", 0x3C2}, {U"sim", 0x223C}, {U"spades", 0x2660},
      {U"sub", 0x2282}, {U"sube", 0x2286}, {U"sum", 0x2211}, {U"sup", 0x2283}, {U"sup1", 0xB9}, {U"sup2", 0xB2},
      {U"sup3", 0xB3}, {U"supe", 0x2287}, {U"szlig", 0xDF}, {U"tau", 0x3C4}, {U"there4", 0x2234}, {U"theta", 0x3B8},
      {U"thetasym", 0x3D1}, {U"thinsp", 0x2009}, {U"thorn", 0xFE}, {U"tilde", 0x2DC}, {U"times", 0xD7},
      {U"trade", 0x2122}, {U"uArr", 0x21D1}, {U"uacute", 0xFA}, {U"uarr", 0x2191}, {U"ucirc", 0xFB}, {U"ugrave", 0xF9},
      {U"uml", 0xA8}, {U"upsih", 0x3D2}, {U"upsilon", 0x3C5}, {U"uuml", 0xFC}, {U"weierp", 0x2118}, {U"xi", 0x3BE},
      {U"yacute", 0xFD}, {U"yen", 0xA5}, {U"yuml", 0xFF}, {U"zeta", 0x3B6}, {U"zwj", 0x200D}, {U"zwnj", 0x200C},
  };
  return names;
}
// clang-format on

}  // namespace terragen::models
