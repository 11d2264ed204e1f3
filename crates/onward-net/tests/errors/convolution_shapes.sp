network shapes {
    input x = rate(3, 8, 8)
    layer a = conv(6, 9, 3) from x
    layer b = conv(6, 3) from x { groups = 4 }
    layer c = conv(5, 3) from x { groups = 3 }
    layer d = conv(6, 3) from x { padding = 3 }
    layer e = conv(6, 1, 3) from x { padding = (1, 1) }
    layer f = conv(6, 3) from x { block = 7 }
    layer g = conv(6, 3) from x { rows = 9 }
    layer h = conv(65536, 1) from x
    layer i = conv(6, 3) from x { stride = 0 }
    layer j = conv(6, 3) from x { stride = (1, 2, 3) }
    layer k = conv(6, 3) from x { dilation = 4 }
}
