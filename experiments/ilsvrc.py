"""Does the recipe carry over to ILSVRC DET? Paper, section 3.5: SSD300, trained on train and val1.

Found:  43.4 mAP on val2, with the architecture for COCO and 440k iterations.
Expect: yes.
Cost:   1 training at full length, 14.1 million images.
Run:    ssdpipe run ilsvrc --preset tiny
Differs: small objects have a lower IoU threshold, as in ILSVRC's own tool; the original used 0.5 throughout. At `tiny`,
drawn images with the larger vocabulary stand in.
"""

from __future__ import annotations

from experiments.framework.experiment import Experiment, Row
from experiments.framework.runs import RUNS
from experiments.published import ILSVRC_VAL2

experiment = Experiment(
    name="ilsvrc",
    question="Does the recipe carry over to ILSVRC DET?",
    answers="Section 3.5",
    found="43.4 on val2",
    expects="yes",
    differs="lower IoU threshold for small objects, as in the official tool; users supply the lists of val1 and val2",
    row_title="method",
    rows=(Row(label="SSD300 train+val1", run=RUNS["ssd300-ilsvrc"], published=ILSVRC_VAL2),),
)
