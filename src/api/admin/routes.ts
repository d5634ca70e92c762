import { ACCESS_ROUTES } from './access-routes.ts'
import { ALERT_ROUTES } from './alert-routes.ts'
import { CHARGE_ROUTES } from './charge-routes.ts'
import { OWNER_ROUTES } from './owner-routes.ts'
import { PACKAGE_ORDER_ROUTES } from './package-order-routes.ts'
import { PACKAGE_ROUTES } from './package-routes.ts'
import { RESOURCE_ROUTES } from './resource-routes.ts'
import type { AdminRoute } from './route.ts'

/** Every operation of the admin API. */
export const ADMIN_ROUTES: readonly AdminRoute[] = [
  ...OWNER_ROUTES,
  ...RESOURCE_ROUTES,
  ...PACKAGE_ROUTES,
  ...PACKAGE_ORDER_ROUTES,
  ...CHARGE_ROUTES,
  ...ACCESS_ROUTES,
  ...ALERT_ROUTES,
]
