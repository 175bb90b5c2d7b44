"""HTTP itself: bodies, answers, problems, times. Knows no business."""
