"""The CV that every peer sets: the sample, with words that change from run to run."""
import base64
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECTIONS = [
    ("Work experience", "work_experience", "employer", "bullets"),
    ("Education", "education", "institution", "details"),
    ("Further experience", "further_experience", "organization", "bullets"),
]


def load():
    return json.loads((ROOT / "schemas/samples/cv.json").read_text())


def vary(cv, run):
    """The same CV with other words: a cache of whole documents or paragraphs finds nothing."""
    cv = json.loads(json.dumps(cv))
    for i, job in enumerate(cv["work_experience"]):
        job["bullets"] = [f"{text} ({run * 7 + i})" for text in job["bullets"]]
    cv["profile"] = f"{cv.get('profile', '')} {run}"
    return cv


def photo(cv):
    return base64.b64decode(cv["photo_url"].split(",", 1)[1])


def language(item):
    if isinstance(item, str):
        return item
    return " ".join(filter(None, [item.get("language") or item.get("name"), f"({item['level']})" if item.get("level") else ""]))


def view(cv):
    """Title, contact lines, and (heading, entries or lines), in reading order."""
    contact = [", ".join(cv.get("address_lines", [])), f"{cv['phone']} · {cv['email']}"]
    contact += [link if isinstance(link, str) else link["url"] for link in cv.get("links", [])]
    sections = [("Profile", [cv["profile"]])]
    for heading, key, place, items in SECTIONS:
        entries = [
            {"date": e.get("date_range", ""), "title": e["title"], "place": ", ".join(filter(None, [e.get(place), e.get("location")])), "items": e.get(items, [])}
            for e in cv.get(key, [])
        ]
        sections.append((heading, entries))
    sections.append(("Languages", [" · ".join(language(item) for item in cv.get("languages", []))]))
    sections.append(("Skills", [" · ".join(cv.get("it_ai_skills", []))]))
    for heading, key in [("Certifications", "certifications"), ("Training", "trainings"), ("Publications", "publications")]:
        sections.append((heading, cv.get(key, [])))
    if cv.get("interests"):
        sections.append(("Interests", [cv["interests"]]))
    return cv["full_name"], contact, [(heading, rows) for heading, rows in sections if rows]
