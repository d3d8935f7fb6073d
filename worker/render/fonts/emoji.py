"""Makes NotoEmoji-Regular.ttf again: python3 emoji.py PACKAGE_DIR, with fonttools.

PACKAGE_DIR is the unpacked npm package @fontsource/noto-emoji, which has the font in shards.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from fontTools import subset
from fontTools.merge import Merger
from fontTools.ttLib import TTFont

# What letters, curricula vitae and reports use as signs; a font of all emoji is a megabyte.
SIGNS = (
    "📞☎📱📲📟📠✉📧📨📩📤📥📬📭📮📪📫💬🗨💭🗯🌐🌍🌎🌏📍📌🏠🏡🏢🏣🏤🏥🏦🏨🏫🏭🏛🏗🔗🖇📎"
    "💼🎓🏆🥇🥈🥉🏅🎖🎗🎯💡🔍🔎📈📉📊📋📁📂🗂📅📆🗓📇📜📄📃📑📝✏✒🖋🖊🖌📚📖📘📗📙📕📓📔📒📰🗞🔖🏷"
    "💻🖥🖨⌨🖱💾💿📀📷📸🎥🎬🎤🎧🎵🎶🎹🎸🎨🎭🎮🕹🧩♟⚽🏀🏐🎾🏓🏃🚴🏊🧗🏔⛰🏕🎿🏂🧘"
    "🚀✈🚗🚆🚢🚲🔧🔨🛠⚙🔩🧰🧪🔬🔭🧬⚗🧮📐📏📡🔋🔌💊🩺⚕⚖🔒🔓🔐🔑🛡🔔⏰⏱⏳⌛🕐"
    "✅☑✔❌✖❎❗❓⚠⛔🚫♻⭐🌟✨💫🔥💥⚡☀🌙🌈☁☔❄🌱🌳🍀🌸🌻🐍🦀🐳🐧🐘🐱🐶🦊"
    "😀😃😄😁😊🙂😉😍😎🤓🤔🤝👍👎👏🙌🙏💪👋✌👌👉👈👆👇☝✋🤞❤💙💚💛🧡💜🖤💯🎉🎊🎁☕🍕🍷"
    "👤👥👨👩🧑👶👦👧👪🌿➕➖➗➡⬅⬆⬇↗↘🔄🔁🆕🆓🆗🔴🟠🟡🟢🔵🟣⚫⚪🟥🟦🟩🔶🔷🔺🔻💰💵💶💷💳🧾🏁🚩"
)


def main(scratch: str) -> None:
    shards, wanted = [], {ord(sign) for sign in SIGNS}
    for path in sorted(Path(sys.argv[1], "files").glob("noto-emoji-*-400-normal.woff")):
        font = TTFont(path)
        own = wanted & set(font.getBestCmap())
        wanted -= own
        if not own:
            continue
        options = subset.Options(hinting=False, layout_features=[], notdef_outline=True)
        options.drop_tables += ["GSUB", "GPOS", "GDEF", "vhea", "vmtx"]
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=own)
        cutter.subset(font)
        font.flavor = None
        part = Path(scratch, f"{len(shards)}.ttf")
        font.save(part)
        shards.append(str(part))
    merged = Merger().merge(shards)
    # The same bytes for the same input.
    merged["head"].created = merged["head"].modified = 3786912000
    merged.recalcTimestamp = False
    merged.save("NotoEmoji-Regular.ttf")
    print(len(merged.getBestCmap()), "signs;", len(wanted), "of no shard:", *map(chr, sorted(wanted)))


with TemporaryDirectory() as scratch:
    main(scratch)
