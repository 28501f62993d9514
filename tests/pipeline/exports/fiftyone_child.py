"""Run by test_fiftyone.py in FiftyOne's own Python: FOLDER SIDE [PORT].

It opens the COCO export and prints what it holds as one JSON line. With a port it then serves
FiftyOne's App on loopback until it is ended.
"""

import json
import sys

import fiftyone


def opened(folder, side):
    """The annotations of one side as FiftyOne's own dataset."""
    return fiftyone.Dataset.from_dir(
        dataset_type=fiftyone.types.COCODetectionDataset,
        data_path=folder,
        labels_path=f"{folder}/annotations/{side}.json",
        label_types=["detections", "segmentations", "keypoints"],
        extra_attrs=True,
        progress=False,
    )


def row(sample):
    """What of a picture is compared; points and boxes as shares of the picture."""
    [face] = sample.keypoints.keypoints
    return {
        "file": sample.filepath, "points": face.points, "visible": face.visible,
        "boxes": {found.label: found.bounding_box for found in sample.detections.detections},
        "masks": {found.label: int(found.mask.sum())
                  for found in sample.segmentations.detections if found.mask is not None},
    }  # fmt: skip


if __name__ == "__main__":
    dataset = opened(*sys.argv[1:3])
    rows = [row(sample) for sample in dataset]
    print(json.dumps({"version": fiftyone.__version__, "rows": rows}), flush=True)
    if len(sys.argv) > 3:
        port = int(sys.argv[3])
        fiftyone.launch_app(dataset, remote=True, port=port, address="127.0.0.1").wait(-1)
    dataset.delete()
