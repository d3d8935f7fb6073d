#!/bin/sh
# Makes the embedded fonts again: ./subset.sh SOURCE_DIR, with `pyftsubset` (fonttools) on the path.
set -eu
source_dir=${1:?usage: subset.sh SOURCE_DIR}
cd "$(dirname "$0")"

subset() {
    pyftsubset "$source_dir/$1.ttf" --output-file="$1.ttf" --unicodes="$2" \
        --layout-features="ccmp,locl,kern,mark,mkmk,liga,$3" \
        --no-hinting --notdef-outline --no-prune-unicode-ranges \
        --name-IDs='*' --name-languages='*' --drop-tables+=DSIG
}

letters=U+0020-007E,U+00A0-036F,U+0370-052F,U+1D00-1DBF,U+1E00-1FFF
letters=$letters,U+2000-206F,U+2070-20CF,U+2100-218F,U+2C60-2C7F,U+A720-A7FF,U+FB00-FB06,U+FFFD
# Phonetic letters and the like come from the sans serif.
text=U+0020-007E,U+00A0-024F,U+02B0-036F,U+0370-03FF,U+0400-052F,U+1E00-1FFF
text=$text,U+2000-206F,U+2070-20CF,U+2100-214F,U+FB00-FB04,U+FFFD
for style in Regular Bold Italic BoldItalic; do
    subset "NotoSans-$style" "$letters" smcp,c2sc
    subset "NotoSerif-$style" "$text" smcp,c2sc
done
# Presentation forms are reached by shaping: the text itself never holds them.
for weight in Regular Bold; do
    subset "NotoSansArabic-$weight" U+0020-003A,U+00A0,U+00AB,U+00BB,U+0600-06FF,U+0750-077F,U+08A0-08FF,U+200B-200F,U+2010-2011,U+25CC,U+FD3E-FD3F,U+FDFC \
        init,medi,fina,isol,rlig,calt,curs
    subset "NotoSansHebrew-$weight" U+0020-002D,U+00A0,U+0590-05FF,U+200B-200F,U+2010-2011,U+20AA,U+25CC ccmp
done
subset NotoSansMath-Regular U+2190-22FF,U+27F0-27FF smcp,c2sc
subset NotoSansSymbols-Regular U+2460-24FF,U+2600-26FF smcp,c2sc
subset NotoSansSymbols2-Regular U+2300-23FF,U+25A0-27BF,U+1F300-1F6FF smcp,c2sc
