import os
import unittest

import model


class TestModel(unittest.TestCase):
    def test_doubles(self):
        self.assertEqual(model.double(21), 42)

    def test_has_no_region(self):
        self.assertEqual(os.environ["AWS_DEFAULT_REGION"], "")
