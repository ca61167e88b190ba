"""What may be shown of a text that somebody typed at a scanner: words of imaging and anatomy, and nothing else.

Descriptions of series and names of regions may hold names, dates and telephone numbers in any spelling, so it is
not searched for what is private: only words known to be harmless are kept.
"""

import re
from collections.abc import Sequence

HIDDEN = "..."
LONGEST = 80

SEQUENCES = """
adc aspir asl asset ba be blade bold bravo bssfp caipi ciss cube dce dess diff diffusion dir dixon dsc dti dual dwi
dwibs dyn dynamic dynava echo edwi ep epi espgr fat fast fb fe fgre ffe fgr fiesta fl flair flash frfse fs fse fspgr
ge gradient grappa gre haste hr highres hires ideal in inphase inv ip ipat ir iso isotropic lava localiser localizer
loc longtr map mapping mdixon merge mip mp mpr mprage mr mra mrcp mri mrs mult multi noise opp opposed out pd pdw per
perf perfusion phase pilot propeller psif quick radial reformat resolve restore rst sat sct scout se sense shim snapshot
space spair spc spgr spin spir ss ssfp ssfse ssh sssh st star stir survey swan swi t1w t2w tfe tfl thin thrive ti tir
tirm tof trace tracew true trufi trufisp tse turbo twist ufse ultra vibe vibrant view vista volume wats water
weighted weighting wi
ct cta cect nect lung bone soft tissue window kernel recon helical scan thick slab pet suv ac nac wb emission nm us mg
cr dx mammo cc mlo lcc rcc lmlo rmlo tomo
"""
PLANES = """
ax axi axial axials axl tra tram trans transversal transverse cor coronal coronals sag sagittal sagittals obl oblique
para paraaxial paracoronal parasagittal plane planes three orthogonal ap pa lat lateral axis left right lt
rt bilat bilateral unilateral upper lower anterior posterior dorsal ventral medial
"""
WORDS_BETWEEN = """
a and at by for from no non of on only or the to with without plus minus
1st 2nd 3rd 4th early late delay delayed arterial venous portal bh breath breathhold hold free trig triggered nav resp
gated gad gd ce contrast post pre plain native sub subtracted subtraction series set new repeat copy original
registered processed calc reg corr corrected norm normalised normalized mask test full fov field view
high low res resolution standard quality slice slices
"""
ANATOMY = """
abd abdomen abdominal adnexa adrenal anal anus aorta artery axilla bladder bladderwall body bodies bowel brain breast
breasts canal cavity cervical cervix chest colon cord cranium duodenum endometrium eye femoral femur foot gallbladder
gland hand head heart hip hippocampus humerus iliac ilium intestine ischium kidney kidneys knee leg levator liver lung
lungs mediastinum mesorectum muscle myometrium neck nerve node nodes oesophagus esophagus optic orbit ovary ovaries
pancreas parametrium parotid pelvis pelvic perineum prostate pubis rectal rectum sacrum shoulder sigmoid skin skull
spinal spine spleen stomach stroma symphysis testis thigh thorax thyroid trachea ureter urethra uterus vagina vaginal
vein vertebra vertebrae vessel vessels vulva wall wrist marrow cortex cerebellum ventricle
"""
FINDINGS = """
cancer carcinoma confounder core cyst ctv edema enhancing enhancement external extension finding fluid gross gtv
infiltration itv lesion lesions lymph mass met metastasis metastases myoma fibroid necrosis necrotic neoplasm nodule
nonenhancing oar oedema organ planted primary ptv recurrence recurrent residual roi roi1 segment segmentation target
tumor tumors tumour tumours whole hrctv irctv gtvp gtvn ptvp ptvn
"""
VOCABULARY = frozenset(" ".join((SEQUENCES, PLANES, WORDS_BETWEEN, ANATOMY, FINDINGS)).split())
CODE = (
    r"[es]?t[123][fw]?i?|[234]d|(?:ep|fl|tfl|tse|se|gre|fse|spc)[23]d\d{0,2}|b\d{1,4}|"
    r"\d{1,3}(?:mm|cm|sec|ms|deg|dir|min|s|t)|(?:te|tr|ti|fa|ph|dyn|post|pre|pe|gd|gtv|ctv|ptv|lesion|tumou?r|roi)\d{1,2}"
)
"""Words with a number in them, such as t2w, b800, 3mm, ep2d, GTV1."""
KNOWN = re.compile("|".join((CODE, *map(re.escape, sorted(VOCABULARY)))), re.IGNORECASE)
RUN_TOGETHER = re.compile(rf"(?=.*t[12])(?:{KNOWN.pattern})+", re.IGNORECASE)
"""Such as T2TSE or AXT1FS; only with a weighting in it, since short words run together may spell a name."""


def shown(typed: str) -> str:
    """Return the text with every word that is not known, and every number that may be part of a date, as "..."."""
    parts = re.split(
        r"([^\W_]+)", typed.strip()[: 2 * LONGEST]
    )  # words at odd places, what separates them at even ones
    words = parts[1::2]
    parts[1::2] = [word if _may_be_shown(words, index) else HIDDEN for index, word in enumerate(words)]
    parts[0::2] = [re.sub(r"[^ _/*+.,()&-]+", " " if part.strip() else part, part) for part in parts[0::2]]
    text = re.sub(r"\.\.\.(?:[\W_]*\.\.\.)+", HIDDEN, "".join(parts))
    return " ".join(text.split())[:LONGEST]


def _may_be_shown(words: Sequence[str], index: int) -> bool:
    """Whether a word is known, or a short number between known words: 12 in "12 Mar 2019" is not."""
    if not words[index].isdecimal():
        return _is_known(words[index])
    neighbours = [*words[max(index - 1, 0) : index], *words[index + 1 : index + 2]]
    return len(words[index]) < 4 and all(map(_is_known, neighbours))


def _is_known(word: str) -> bool:
    return word.isascii() and bool(KNOWN.fullmatch(word) or (len(word) < 25 and RUN_TOGETHER.fullmatch(word)))
