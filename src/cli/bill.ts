import { Command } from 'commander'
import { billCloseCommand } from './bill-close.ts'
import { billDaysCommand } from './bill-days.ts'
import { billExplainCommand } from './bill-explain.ts'
import { billExportCommand } from './bill-export.ts'
import { billListCommand } from './bill-list.ts'
import { billShowCommand } from './bill-show.ts'
import { billVerifyCommand } from './bill-verify.ts'
import type { CliContext } from './context.ts'

/** `weir bill …` */
export function billCommand(context: CliContext): Command {
  return new Command('bill')
    .description('Bills: what closed months cost, and how that came about.')
    .addCommand(billListCommand(context))
    .addCommand(billDaysCommand(context))
    .addCommand(billShowCommand(context))
    .addCommand(billVerifyCommand(context))
    .addCommand(billExplainCommand(context))
    .addCommand(billExportCommand(context))
    .addCommand(billCloseCommand(context))
}
